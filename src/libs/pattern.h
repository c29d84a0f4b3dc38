// SPDX-License-Identifier: Apache-2.0
// Regular expressions: the C library's, which crun's --regex has too.
#pragma once

#include "base/result.h"
#include "plan/library_request.h"

namespace onggi {

// Those of the request's texts that match, in their order. A pattern that is none is an error.
Result<spec::TextList> matching(const plan::MatchRequest& request);

}  // namespace onggi
