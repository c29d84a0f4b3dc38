// SPDX-License-Identifier: Apache-2.0
// `logout [REGISTRY]`: out of every file, or the next login of another tool would find them still.
#include "command/remote.h"

namespace onggi::image {

Result<int> logout_command(const Context& context, const RemoteFlags& flags) {
  const LoginPlace place =
      TRY(parse_login_place(context.operands.empty() ? std::string_view() : context.operands[0]));
  const bool was_there = TRY(remove_login(credential_source(flags.authfile), place.key));
  if (!was_there) return make_error(ErrorKind::state, "no credentials for ", place.key);
  return 0;
}

}  // namespace onggi::image
