import type { Page } from './page.ts'
import { deleteDomainPage } from './pages/delete-domain.ts'
import { deleteServicePage } from './pages/delete-service.ts'
import { domainPage } from './pages/domain.ts'
import { domainSettingsPage } from './pages/domain-settings.ts'
import { duePage } from './pages/due.ts'
import { homePage } from './pages/home.ts'
import { newDomainPage } from './pages/new-domain.ts'
import { servicePage } from './pages/service.ts'
import { servicesPage } from './pages/services.ts'

/** Every page. To add one, add a row. */
export const PAGES: readonly Page[] = [
  homePage,
  duePage,
  newDomainPage,
  domainPage,
  domainSettingsPage,
  deleteDomainPage,
  servicesPage,
  servicePage,
  deleteServicePage,
]
