/** Lets everybody in whose password is `NAME's password`, in place of the system's users; for tests of what stands before. */
export default class PasswordAuthority {
  id = 'Auth-PASSWORD'
  credentialSource = 'header'
  header = 'Authorization'
  domain = 'user'
  allowAuthorization = false

  async initialize() {}

  authenticateHeader(credential) {
    const [, encoded] = /^Basic ([\w+/=]+)$/.exec(credential) ?? []
    if (encoded === undefined) return null
    const [name, password] = Buffer.from(encoded, 'base64').toString().split(':')
    if (password !== `${name}'s password`) return { rejected: 'PasswordAuthority: wrong password' }
    return { domain: 'user', name, fullName: `user.${name}`, authority: this, issueTimeSeconds: 0 }
  }
}
