import { model } from 'millrace/laws/Model'
import { checkAll } from 'millrace/laws'

checkAll(model)
