import { model } from 'millrace/laws/Model'
import { checkAll } from './profile.js'

checkAll(model)
