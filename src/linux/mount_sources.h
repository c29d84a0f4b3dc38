// SPDX-License-Identifier: Apache-2.0
// Sources of bind mounts that onggi-init cannot open by itself: their ids are to be mapped, which
// takes rights over the filesystem, or they lie behind a directory that is closed to the root of
// the container's user namespace. They are opened in the container's mount namespace at the moment
// when init comes to them, so an earlier mount of the container can be a source, too.
#pragma once

#include "linux/clone.h"
#include "plan/plan.h"

#include <vector>

namespace onggi {

class MountSources {
 public:
  struct Asking {
    const Child& init;
    int channel;  // which init waits at
    int signals;  // of block_signals(), or -1
  };
  // Answers init's request for the source of the BindMount `step` (over plan.before_pivot): with a
  // detached mount, or the reason why there is none. An error: it got no answer.
  Result<> answer(const plan::Plan& plan, int step, const Asking& asking);

 private:
  Result<int> user_namespace(const plan::Plan& plan, const plan::Step& step, int init);

  std::vector<UniqueFd> user_namespaces_;  // by Plan::id_maps; opened when first needed
};

}  // namespace onggi
