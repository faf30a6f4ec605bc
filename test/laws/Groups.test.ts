import { groups } from 'millrace/laws/Groups'
import { checkAll } from 'millrace/laws'

checkAll(groups)
