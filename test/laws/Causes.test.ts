import { allCauses } from '../../laws/Causes.js'
import { checkAll } from './profile.js'

checkAll(allCauses)
