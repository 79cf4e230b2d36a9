import { ztsRdlSchema } from '#zts/api/rdl-schema.ts'
import { describeRdlSchema } from '../../support/rdl-schema.ts'

describeRdlSchema(ztsRdlSchema, { name: 'ZTS', base: '/zts/v1', operations: 38 })
