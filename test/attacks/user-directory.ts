// An authority for the servers that are attacked: it accepts nobody's credentials, and knows which users have left.
import type { Authority } from '#core/authority/authority.ts'

/** A user who has left. */
export const LEAVER = 'user.leaver'

const directory: Authority = {
  id: 'Auth-DIRECTORY',
  credentialSource: 'header',
  header: 'X-Directory',
  allowAuthorization: true,
  authenticateHeader: () => null,
  userType: (fullName) => (fullName === LEAVER ? 'suspended' : 'active'),
}

export default directory
