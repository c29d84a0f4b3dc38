// SPDX-License-Identifier: Apache-2.0
// linux.intelRdt: a container's class of service and its MON group in a mounted resctrl filesystem
// (config-linux.md#intelrdt, Documentation/arch/x86/resctrl.rst). Order of use: check (whose answer
// goes to the disk before anything is made), make, add; remove.
#pragma once

#include "base/result.h"
#include "plan/plan.h"

#include <string>
#include <string_view>
#include <vector>

namespace onggi::resctrl {

// Where resctrl is mounted, from the text of /proc/mounts; empty: nowhere.
std::string find_mount(std::string_view mounts);

// The directories that make() is going to make, parents first. A class that is missing and is not
// to be made, and one that is there with other schemata, are errors. Changes nothing.
Result<std::vector<std::string>> check(const plan::ResctrlPlan& plan);

// Makes them; after an error none of them is left.
Result<> make(const std::vector<std::string>& directories);

// The schemata of a class that is there.
Result<> write_schemata(const plan::ResctrlPlan& plan);

// Puts a process into the class and the MON group; what it forks later is in them too.
Result<> add(const plan::ResctrlPlan& plan, int pid);

// Of `directories`, those that go when the container is deleted.
std::vector<std::string> removed_with_container(const plan::ResctrlPlan& plan,
                                                const std::vector<std::string>& directories);

// Children first; the kernel moves what is left in them to the parent group. One that is gone is
// success.
Result<> remove(const std::vector<std::string>& directories);

}  // namespace onggi::resctrl
