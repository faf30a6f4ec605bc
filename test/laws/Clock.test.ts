import { clock } from 'millrace/laws/Clock'
import { checkAll } from 'millrace/laws'

checkAll(clock)
