import { resources } from 'millrace/laws/Resources'
import { checkAll } from 'millrace/laws'

checkAll(resources)
