import type { ConfigOf } from '#core/config/server-tables.ts'
import type { DomainBase } from '../store/model.ts'

/** Spells out what the resources of one action mean, for lists of the resources a principal can reach; a plug-in. */
export interface ResourceSpelling {
  /** Lower case. */
  readonly action: string
  /**
   * The resources that `resource` (the text after the domain) of an assertion of `domain` stands for; none when the
   * domain has nothing of the kind. `filter` selects one account or project.
   */
  spell(domain: DomainBase, resource: string, filter: string | undefined): readonly string[]
}

/** The spellings of roles in AWS accounts and of roles and services in projects of Google. */
export function cloudResources({ zms }: ConfigOf['zms']): readonly ResourceSpelling[] {
  return [
    {
      action: zms.awsAssumeRoleAction.toLowerCase(),
      spell: ({ account }, resource, filter) =>
        selected(account?.split(',') ?? [], filter).map((each) => `arn:aws:iam::${each}:role/${resource}`),
    },
    ...[zms.gcpAssumeRoleAction, zms.gcpAssumeServiceAction].map((action) => ({
      action: action.toLowerCase(),
      spell: ({ gcpProject }: DomainBase, resource: string, filter: string | undefined) =>
        selected(gcpProject === undefined ? [] : [gcpProject], filter).map((project) =>
          GCP_KINDS.some((kind) => resource.startsWith(kind))
            ? `projects/${project}/${resource}`
            : `projects/${project}/roles/${resource}`,
        ),
    })),
  ]
}

/** Resources that begin so say themselves what kind they are; others are roles. */
const GCP_KINDS = ['roles/', 'groups/', 'services/']

const selected = (values: readonly string[], filter: string | undefined): readonly string[] =>
  filter ? values.filter((value) => value === filter) : values
