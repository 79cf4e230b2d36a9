import type { Fields } from './fields.ts'
import type { Html } from './html.ts'
import type { Zms } from './zms-calls.ts'

/** Names of the placeholders in a path: of `/domain/:domainName/role/:roleName`, `domainName` and `roleName`. */
export type PlaceholdersOf<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | PlaceholdersOf<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never

/** What services need to know to get certificates, as far as the page was told. */
export interface Issuing {
  /** With its path, e.g. `https://zts.example.com:8443/zts/v1`. */
  readonly ztsUrl: string | undefined
  /** File of the authorities that vouch for ZTS, on the machines of services. */
  readonly ztsCaFile: string | undefined
  /** End of DNS names in certificates, e.g. `zts.example.cloud`. */
  readonly dnsSuffix: string | undefined
}

/** One request for a page, in the name of somebody who has signed in. */
export interface PageRequest<Name extends string = string> {
  /** Values of the placeholders in the path. */
  readonly params: Readonly<Record<Name, string>>
  readonly query: Fields
  /** Path and query as they were asked for. */
  readonly target: string
  /** Calls ZMS as that person; at most three calls a page. */
  readonly zms: Zms
  /** Full name of the person, e.g. `user.joe`. */
  readonly principal: string
  /** Epoch milliseconds. */
  readonly now: number
  /** Rows of a list on one page. */
  readonly pageSize: number
  readonly issuing: Issuing
  /** Goes with every form; `postForm` puts it there. */
  readonly csrfToken: string
  /**
   * What was sent, when the page is shown again because it could not be done, and none otherwise: fields of forms show
   * these values where there are some.
   */
  readonly form: Fields
  /** Action whose form was sent; absent when none was. */
  readonly formAction?: string
}

/** What a page shows. */
export interface View {
  readonly title: string
  readonly content: Html
  /** Domain that the page is about: gives the way to it, and the links to its parts. */
  readonly domain?: string
  /** Which of these parts it is in, e.g. `roles`. */
  readonly section?: string
  /** Further steps on the way to the page, between the section and the page itself. */
  readonly trail?: readonly Step[]
  /** Commands that do or show the same, each as words after `athenz`. */
  readonly commands?: readonly (readonly string[])[]
  /** 200 unless given. */
  readonly status?: number
}

/** A link on the way to a page. */
export interface Step {
  readonly label: string
  readonly to: string
}

/** What was done, and where to go on. */
export interface Outcome {
  /** Path on this page. */
  readonly to: string
  /** Told once at the top of the next page. */
  readonly notice: string
  /** Takes it back: an action of a page, with its fields. */
  readonly undo?: Undo
}

/** An action that takes back what was done. */
export interface Undo {
  readonly to: string
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

/** A form that cannot be carried out as it was filled in; the page is shown again with these words. */
export class FormProblem extends Error {
  /** Name of the field that is wrong. */
  readonly field: string | undefined

  constructor(message: string, field?: string) {
    super(message)
    this.name = 'FormProblem'
    this.field = field
  }
}

/** Carries out a form: `request.form` has its fields. Throws FormProblem, or what ZMS answers. */
export type Action<Name extends string = string> = (request: PageRequest<Name>) => Promise<Outcome>

/** A page: where it is, what it shows, and what its forms do. */
export interface Page<Path extends string = string> {
  /** With placeholders `:name`. */
  readonly path: Path
  /** Reads what the page shows. What ZMS refuses becomes the page for that. */
  readonly load: (request: PageRequest<PlaceholdersOf<Path>>) => Promise<View> | View
  /** By the names that its forms send as `action`. */
  readonly actions?: Readonly<Record<string, Action<PlaceholdersOf<Path>>>>
}

/** Declares a page; its handlers get the placeholders of its path by name. */
export const definePage = <const Path extends string>(page: Page<Path>): Page => page
