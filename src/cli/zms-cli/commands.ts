import type { Command, CommandGroup } from './command.ts'

interface Place {
  /** What names of its commands look like; a wrong guess costs time alone. */
  readonly likely: RegExp
  readonly load: () => Promise<CommandGroup>
}

/** Where commands are, in the order of the help. A group is loaded when it is needed, since each start would pay for all. */
const PLACES: readonly Place[] = [
  { likely: /domain|quota|stats|review$/, load: async () => (await import('./domain-commands.ts')).domainCommands },
  { likely: /depend/, load: async () => (await import('./dependency-commands.ts')).dependencyCommands },
  { likely: /polic|assertion|access/, load: async () => (await import('./policy-commands.ts')).policyCommands },
  { likely: /role|member/, load: async () => (await import('./role-commands.ts')).roleCommands },
  { likely: /group/, load: async () => (await import('./group-commands.ts')).groupCommands },
  { likely: /service|public-key/, load: async () => (await import('./service-commands.ts')).serviceCommands },
  { likely: /entity/, load: async () => (await import('./entity-commands.ts')).entityCommands },
  { likely: /tenan|resource-group/, load: async () => (await import('./tenancy-commands.ts')).tenancyCommands },
  { likely: /template/, load: async () => (await import('./template-commands.ts')).templateCommands },
  {
    likely: /user|principal|admins/,
    load: async () => (await import('./administrator-commands.ts')).administratorCommands,
  },
  { likely: /pending|token|history/, load: async () => (await import('./other-commands.ts')).otherCommands },
]

/** All commands in the order of the help. */
export const allCommandGroups = (): Promise<CommandGroup[]> => Promise.all(PLACES.map(({ load }) => load()))

/** A command by its word. */
export async function commandNamed(name: string): Promise<Command | undefined> {
  const byLikelihood = PLACES.toSorted((a, b) => Number(b.likely.test(name)) - Number(a.likely.test(name)))
  for (const { load } of byLikelihood) {
    const found = (await load()).commands.find((command) => command.name === name)
    if (found !== undefined) return found
  }
  return undefined
}
