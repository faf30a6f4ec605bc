import { checkAll } from 'millrace/laws'
import { model } from 'millrace/laws/Model'

checkAll(model)
