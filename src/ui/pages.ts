import type { Page } from './page.ts'
import { accessPage } from './pages/access.ts'
import { assertionPage } from './pages/assertion.ts'
import { groupPage, rolePage } from './pages/collection.ts'
import { groupHistoryPage, roleHistoryPage } from './pages/collection-history.ts'
import { groupMemberPage, roleMemberPage } from './pages/collection-member.ts'
import { groupReviewPage, roleReviewPage } from './pages/collection-review.ts'
import { groupSelectionPage, roleSelectionPage } from './pages/collection-selection.ts'
import { groupSettingsPage, roleSettingsPage } from './pages/collection-settings.ts'
import { groupsPage, rolesPage } from './pages/collections.ts'
import { deleteGroupPage, deleteRolePage } from './pages/delete-collection.ts'
import { deleteDomainPage } from './pages/delete-domain.ts'
import { deletePolicyPage, deletePolicyVersionPage } from './pages/delete-policy.ts'
import { deleteServicePage } from './pages/delete-service.ts'
import { domainPage } from './pages/domain.ts'
import { domainHistoryPage } from './pages/domain-history.ts'
import { domainSettingsPage } from './pages/domain-settings.ts'
import { duePage } from './pages/due.ts'
import { homePage } from './pages/home.ts'
import { newAssertionPage } from './pages/new-assertion.ts'
import { newDomainPage } from './pages/new-domain.ts'
import { policiesPage } from './pages/policies.ts'
import { policyPage, policyVersionPage } from './pages/policy.ts'
import { searchPage } from './pages/search.ts'
import { servicePage } from './pages/service.ts'
import { servicesPage } from './pages/services.ts'
import { deleteTemplatePage, templatePage } from './pages/template.ts'
import { templatesPage } from './pages/templates.ts'

/** Every page. To add one, add a row. */
export const PAGES: readonly Page[] = [
  homePage,
  duePage,
  searchPage,
  newDomainPage,
  domainPage,
  domainSettingsPage,
  domainHistoryPage,
  deleteDomainPage,
  rolesPage,
  rolePage,
  roleMemberPage,
  roleSelectionPage,
  roleReviewPage,
  roleSettingsPage,
  roleHistoryPage,
  deleteRolePage,
  groupsPage,
  groupPage,
  groupMemberPage,
  groupSelectionPage,
  groupReviewPage,
  groupSettingsPage,
  groupHistoryPage,
  deleteGroupPage,
  servicesPage,
  servicePage,
  deleteServicePage,
  assertionPage,
  policiesPage,
  policyPage,
  policyVersionPage,
  deletePolicyPage,
  deletePolicyVersionPage,
  newAssertionPage,
  accessPage,
  deleteTemplatePage,
  templatePage,
  templatesPage,
]
