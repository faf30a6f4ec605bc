import { scopes } from 'millrace/laws/Scopes'
import { checkAll } from 'millrace/laws'

checkAll(scopes)
