import { model } from '../../laws/Model.js'
import { checkAll } from './profile.js'

checkAll(model)
