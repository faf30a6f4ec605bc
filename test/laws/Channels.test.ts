import { channels, checkAll } from 'millrace/laws'

checkAll(channels)
