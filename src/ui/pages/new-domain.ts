import { auditField, postForm, textArea, textField } from '../components.ts'
import { html } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage, FormProblem } from '../page.ts'

/** Creates a domain: at the top, below another one, or that of the person. */
export const newDomainPage = definePage({
  path: '/new-domain',
  load(request) {
    const { query, principal } = request
    const parent = query.text('parent')
    const content = postForm(
      request,
      { action: 'create', submit: 'Create' },
      textField(request, {
        name: 'name',
        label: 'Name',
        value: parent && `${parent}.`,
        required: true,
        autofocus: true,
        hint: html`Letters, digits, <code>-</code> and <code>_</code>. <code>sports.scores</code> is made below <code>sports</code>, by its
administrators; names without a dot need a system administrator; <code>${principal}</code> is yours.`,
      }),
      textField(request, { name: 'description', label: 'Description' }),
      textArea(request, {
        name: 'administrators',
        label: 'Administrators',
        value: principal,
        hint: 'one in a line, such as user.jane or sports.api',
      }),
      auditField(request),
    )
    return { title: 'Create a domain', trail: [], content, commands: [['domain', 'create', 'NAME']] }
  },
  actions: {
    async create({ zms, form, principal }) {
      const name = form.text('name')?.toLowerCase()
      if (name === undefined) throw new FormProblem('The domain needs a name.', 'name')
      const dot = name.lastIndexOf('.')
      const [parent, last] = [name.slice(0, Math.max(0, dot)), name.slice(dot + 1)]
      const auditRef = form.text('auditRef')
      const description = form.text('description')
      const settings = { name: last, ...(description !== undefined && { description }) }
      const adminUsers = (form.exact('administrators') ?? '').split(/[\s,]+/).filter((each) => each !== '')
      if (name === principal) {
        await zms.call('postUserDomain', { name: last, auditRef, body: settings })
      } else {
        if (adminUsers.length === 0) throw new FormProblem('The domain needs an administrator.', 'administrators')
        const body = { ...settings, adminUsers }
        if (parent === '') await zms.call('postTopLevelDomain', { auditRef, body })
        else await zms.call('postSubDomain', { parent, auditRef, body: { ...body, parent } })
      }
      return { to: sectionPath(name, ''), notice: `The domain ${name} was created.` }
    },
  },
})
