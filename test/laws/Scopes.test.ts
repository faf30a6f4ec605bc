import { scopes } from '../../laws/Scopes.js'
import { checkAll } from './profile.js'

checkAll(scopes)
