// SPDX-License-Identifier: Apache-2.0
// Everything that can be refused is refused before the first side effect; then each step can be
// taken back.
#include "base/timing.h"
#include "linux/notify_relay.h"
#include "linux/signals.h"
#include "runtime/announcement.h"
#include "runtime/creation.h"

namespace onggi {

Result<> create_container(const RuntimeOptions& runtime, const CreateOptions& options) {
  TRY(check_id(options.id));
  const Blueprint blueprint = TRY(read_blueprint(runtime, options));
  TRY(check_feasible(blueprint, options, false));
  const UniqueFd console = TRY_AT("--console-socket", connect_receiver(options.console_socket, -1));
  const UniqueFd pidfd_receiver =
      TRY_AT("--pidfd-socket", connect_receiver(options.pidfd_socket, -1));
  TRY(NotifyRelay::open());  // `start` will need it
  const UniqueFd signals = TRY(block_signals());
  Creation creation = TRY(Creation::begin(runtime, blueprint, signals.get()));
  TRY(creation.launch_init(blueprint, {.console = console.get()}));
  TRY(creation.commit(options, pidfd_receiver.get()));
  timing::end_of("commit");
  creation.release();
  return {};
}

}  // namespace onggi
