// Gets a token for this page from ZMS, to which the browser shows its certificate, and signs in with it.
const form = document.getElementById('certificate')
const [button, status, token] = ['button', '[role=status]', '[name=token]'].map((each) => form.querySelector(each))

async function answerOf(url, options) {
  const response = await fetch(url, { cache: 'no-store', redirect: 'error', ...options })
  return { ok: response.ok, ...(await response.json()) }
}

async function fetchToken() {
  const { url } = await answerOf(form.action)
  const { zms } = form.dataset
  try {
    const answer = await answerOf(url, { credentials: 'include' })
    if (answer.ok) return answer.token
    throw new Error(answer.message)
  } catch (cause) {
    // Why a request to another server failed is not told to scripts.
    if (!(cause instanceof TypeError)) throw cause
    throw new Error(`ZMS did not take a certificate of this browser, or the browser cannot reach it at ${zms}.`, { cause })
  }
}

async function signIn() {
  button.disabled = true
  status.textContent = 'Asking ZMS …'
  try {
    token.value = await fetchToken()
    form.submit()
  } catch (error) {
    status.textContent = error.message
    button.disabled = false
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  void signIn()
})
button.disabled = false
