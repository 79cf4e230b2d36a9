import { loadPlugIn, missingMethods } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { cloudResources, type ResourceSpelling } from './service/cloud-resources.ts'
import { admitsEverything, type ResourceValidator } from './service/resource-validator.ts'

/** Opens the judge of objects that `athenz.zms.resource_validator_factory_class` selects; none admits everything. */
export async function openResourceValidator(config: ConfigOf['zms']): Promise<ResourceValidator> {
  const { zms } = config
  if (zms.resourceValidatorFactoryClass === undefined) return admitsEverything
  return loadPlugIn<ResourceValidator, [ConfigOf['zms']]>(
    zms.resourceValidatorFactoryClass,
    {
      property: 'athenz.zms.resource_validator_factory_class',
      what: 'resource validator',
      builtIn: new Map(),
      problemsOf: missingMethods('validatePolicyAssertion', 'validateRoleMember', 'validateGroupMember'),
      directory: zms.rootDir,
    },
    config,
  )
}

/** The spellings of resources: those of `athenz.zms.assertion_resource_updaters` first, then the shipped ones. */
export async function openResourceSpellings(config: ConfigOf['zms']): Promise<readonly ResourceSpelling[]> {
  const { zms } = config
  const own = zms.assertionResourceUpdaters.map((specifier) =>
    loadPlugIn<ResourceSpelling, [ConfigOf['zms']]>(
      specifier,
      {
        property: 'athenz.zms.assertion_resource_updaters',
        what: 'spelling of resources',
        builtIn: new Map(),
        problemsOf: spellingProblems,
        directory: zms.rootDir,
      },
      config,
    ),
  )
  return [...(await Promise.all(own)), ...cloudResources(config)]
}

/** A spelling says in `action` what it is for, in lower case. */
function spellingProblems(candidate: object): readonly string[] {
  const { action } = candidate as { action?: unknown }
  const named = typeof action === 'string' && action === action.toLowerCase()
  return [...(named ? [] : ['the lower-case text action']), ...missingMethods('spell')(candidate)]
}
