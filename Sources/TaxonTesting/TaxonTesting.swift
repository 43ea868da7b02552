// SPDX-License-Identifier: Apache-2.0

// Who tests with it needs what it stands on, too.
@_exported import Taxon
