import { typeClasses } from 'millrace/laws/TypeClasses'
import { checkAll } from 'millrace/laws'

checkAll(typeClasses)
