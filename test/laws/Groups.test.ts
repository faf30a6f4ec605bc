import { groups } from '../../laws/Groups.js'
import { checkAll } from './profile.js'

checkAll(groups)
