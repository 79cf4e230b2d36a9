/** Placeholder until it is replaced in the same change set. */
export interface SolutionTemplates {
  readonly names: readonly string[]
}
