// A status checker for the servers that are attacked: the status is good as long as no object of the language has got, or
// lost, a member.
import { ServiceError } from '#core/error/service-error.ts'

const PROTOTYPES: readonly object[] = [Object, Array, Function, String, Number, Boolean, Map, Promise, RegExp].map(
  ({ prototype }) => prototype as object,
)
const members = () => JSON.stringify(PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).map(String)))
const AT_THE_START = members()

export default {
  check(): void {
    if (members() !== AT_THE_START) throw new ServiceError('internal', 'a prototype has been changed')
  },
}
