/**
 * The names of waits in the task tree.
 *
 * @internal
 */

/** `Event.wait`, or `Event.wait "ready"`. */
export const waitLabel = (operation: string, options: { readonly name?: string } | undefined): string =>
  options?.name === undefined ? operation : `${operation} ${JSON.stringify(options.name)}`
