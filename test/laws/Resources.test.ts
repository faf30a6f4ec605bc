import { resources } from '../../laws/Resources.js'
import { checkAll } from './profile.js'

checkAll(resources)
