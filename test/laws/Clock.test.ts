import { clock } from '../../laws/Clock.js'
import { checkAll } from './profile.js'

checkAll(clock)
