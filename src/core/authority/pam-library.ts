import { importKoffi, type Koffi, loadNativeLibrary } from './native-library.ts'
import type { PamAnswer } from './pam-message.ts'

/** Result codes, item numbers and message styles of Linux-PAM's ABI (security/_pam_types.h). */
const PAM_SUCCESS = 0
const PAM_BUF_ERR = 5
const PAM_CONV_ERR = 19
const PAM_RHOST = 4
const PAM_FAIL_DELAY = 10
const PAM_DISALLOW_NULL_AUTHTOK = 0x1
const PROMPT_ECHO_OFF = 1
const ERROR_MESSAGE = 3
const TEXT_MESSAGE = 4

/** As many messages as libpam allows in one turn of a conversation. */
const MESSAGE_MAX_COUNT = 32

/** libpam, bound to one profile. Its calls block, so it belongs into a process of its own. */
export interface PamLibrary {
  /** Opens and closes a transaction, which reads the profile. Throws an Error with PAM's reason. */
  probe(): void
  /** Checks password and account. */
  check(user: string, password: string, remoteAddress: string): PamAnswer
}

/**
 * Loads koffi and libpam and binds them to `profile`, the name of a file in /etc/pam.d. Throws an Error that names what
 * is missing.
 */
export async function loadPamLibrary(profile: string): Promise<PamLibrary> {
  const koffi = await importKoffi()
  const functions = bind(koffi)
  const messageType = koffi.struct({ style: 'int', text: 'const char *' })
  const replyType = koffi.struct({ text: 'void *', code: 'int' })
  const replyBytes = koffi.sizeof(replyType)
  const pointerBytes = koffi.sizeof('void *')

  let password = ''
  let delayMicros = 0

  const answer = (index: number, messages: bigint, replies: bigint): boolean => {
    const message = koffi.decode(koffi.decode(messages, index * pointerBytes, 'void *'), messageType)
    if (message.style === ERROR_MESSAGE || message.style === TEXT_MESSAGE) return true
    // A visible prompt asks for something other than the password, e.g. a one-time code, which Basic cannot carry.
    if (message.style !== PROMPT_ECHO_OFF) return false
    koffi.encode(replies, index * replyBytes, replyType, { text: functions.duplicate(password), code: 0 })
    return true
  }

  const converse = (count: number, messages: bigint, out: bigint): number => {
    try {
      if (count < 1 || count > MESSAGE_MAX_COUNT) return PAM_CONV_ERR
      const replies = functions.allocate(count, replyBytes) as bigint | null
      if (replies === null) return PAM_BUF_ERR
      for (let index = 0; index < count; index++) {
        if (answer(index, messages, replies)) continue
        for (let done = 0; done < index; done++) {
          functions.release(koffi.decode(replies, done * replyBytes, replyType).text)
        }
        functions.release(replies)
        return PAM_CONV_ERR
      }
      koffi.encode(out, 'void *', replies)
      return PAM_SUCCESS
    } catch {
      // An exception would reach libpam as 0, which means success, with no replies.
      return PAM_CONV_ERR
    }
  }

  const conversation = { converse: koffi.register(converse, 'PamConverse *'), data: null }
  const noteDelay = koffi.register((_status: number, micros: number) => {
    delayMicros = micros
  }, 'PamDelay *')

  const open = (user: string): bigint => {
    const handle: [bigint | null] = [null]
    const status = functions.start(profile, user, conversation, handle)
    if (status !== PAM_SUCCESS || handle[0] === null) {
      throw new Error(`libpam cannot open the profile ${profile}: ${functions.describe(null, status)}`)
    }
    return handle[0]
  }

  return {
    probe: () => {
      functions.end(open('nobody'), PAM_SUCCESS)
    },
    check: (user, givenPassword, remoteAddress) => {
      password = givenPassword
      delayMicros = 0
      const handle = open(user)
      let status = PAM_SUCCESS
      try {
        functions.setText(handle, PAM_RHOST, remoteAddress)
        // libpam would sleep here after a refusal; the server holds the answer back without occupying this process.
        functions.setFunction(handle, PAM_FAIL_DELAY, noteDelay)
        status = functions.authenticate(handle, PAM_DISALLOW_NULL_AUTHTOK)
        if (status === PAM_SUCCESS) status = functions.checkAccount(handle, PAM_DISALLOW_NULL_AUTHTOK)
        return status === PAM_SUCCESS
          ? { accepted: true, reason: '', delayMillis: 0 }
          : { accepted: false, reason: functions.describe(handle, status), delayMillis: Math.ceil(delayMicros / 1000) }
      } finally {
        functions.end(handle, status)
        password = ''
      }
    },
  }
}

function bind(koffi: Koffi) {
  const library = loadNativeLibrary(koffi, 'libpam.so.0')
  const program = koffi.load(null)
  koffi.proto('int PamConverse(int count, void *messages, void *replies, void *data)')
  koffi.proto('void PamDelay(int status, unsigned int micros, void *data)')
  koffi.struct('PamConversation', { converse: 'PamConverse *', data: 'void *' })
  return {
    start: library.func('int pam_start(const char *, const char *, PamConversation *, _Out_ void **)'),
    end: library.func('int pam_end(void *, int)'),
    setText: library.func('int pam_set_item(void *, int, const char *)'),
    setFunction: library.func('int pam_set_item(void *, int, PamDelay *)'),
    authenticate: library.func('int pam_authenticate(void *, int)'),
    checkAccount: library.func('int pam_acct_mgmt(void *, int)'),
    describe: library.func('const char *pam_strerror(void *, int)'),
    // Replies are freed by libpam, so they must come from the allocator of the C library.
    allocate: program.func('void *calloc(size_t, size_t)'),
    duplicate: program.func('void *strdup(const char *)'),
    release: program.func('void free(void *)'),
  }
}
