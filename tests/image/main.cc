// SPDX-License-Identifier: Apache-2.0
// One main for all tests of onggi-image.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
