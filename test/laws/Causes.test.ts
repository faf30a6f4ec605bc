import { allCauses } from 'millrace/laws/Causes'
import { checkAll } from 'millrace/laws'

checkAll(allCauses)
