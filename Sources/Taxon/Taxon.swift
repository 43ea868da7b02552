// SPDX-License-Identifier: Apache-2.0

@_exported import TaxonCalls
// One import brings all that a service or a client of Taxon needs, and all that generated code needs.
@_exported import TaxonClient
@_exported import TaxonErrors
@_exported import TaxonProtobuf
@_exported import TaxonResilience
@_exported import TaxonServer
@_exported import TaxonTransport
