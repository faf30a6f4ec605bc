import { typeClasses } from '../../laws/TypeClasses.js'
import { checkAll } from './profile.js'

checkAll(typeClasses)
