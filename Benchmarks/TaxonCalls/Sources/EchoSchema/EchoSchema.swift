// SPDX-License-Identifier: Apache-2.0

// The schema's code is made by TaxonPlugin from Benchmarks/Protos.
