/** The profile that the environment asks for. */
import { type Params, paramsOfHost } from 'millrace/laws/LawSet'

export const params: Params = paramsOfHost()
