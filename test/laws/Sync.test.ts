import { checkAll, sync } from 'millrace/laws'

checkAll(sync)
