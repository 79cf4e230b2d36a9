import type { Page } from './page.ts'
import { deleteDomainPage } from './pages/delete-domain.ts'
import { domainPage } from './pages/domain.ts'
import { domainSettingsPage } from './pages/domain-settings.ts'
import { duePage } from './pages/due.ts'
import { homePage } from './pages/home.ts'
import { newDomainPage } from './pages/new-domain.ts'

/** Every page. To add one, add a row. */
export const PAGES: readonly Page[] = [
  homePage,
  duePage,
  newDomainPage,
  domainPage,
  domainSettingsPage,
  deleteDomainPage,
]
