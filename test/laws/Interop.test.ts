import { interop } from '../../laws/Interop.js'
import { checkAll } from './profile.js'

checkAll(interop)
