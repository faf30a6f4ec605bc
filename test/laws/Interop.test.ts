import { interop } from 'millrace/laws/Interop'
import { checkAll } from 'millrace/laws'

checkAll(interop)
