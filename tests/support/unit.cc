// SPDX-License-Identifier: Apache-2.0
#include "support/unit.h"

#include "support/bundle.h"

#include <filesystem>

namespace onggi::test {

namespace fs = std::filesystem;

Outcome systemctl(Strings words) {
  words.insert(words.begin(), "/usr/bin/systemctl");
  return run_program(words);
}

std::string shown(const std::string& unit, const std::string& property) {
  const std::string value = systemctl({"show", "--value", "-p", property, unit}).out;
  return value.substr(0, value.find_last_not_of('\n') + 1);
}

bool loaded(const std::string& unit) {
  return shown(unit, "LoadState") == "loaded";
}

Strings tagged_units() {
  // Where systemd keeps what a transient unit is made of, as long as it is loaded, failed or not.
  std::vector<fs::path> places = {"/run/systemd/transient"};
  std::error_code missing;
  for (const auto& user : fs::directory_iterator("/run/user", missing))
    places.push_back(user.path() / "systemd/transient");
  Strings units;
  for (const fs::path& place : places) {
    for (const auto& entry : fs::directory_iterator(place, missing)) {
      const std::string name = entry.path().filename().string();
      if (contains(name, tag())) units.push_back(name);
    }
  }
  return units;
}

}  // namespace onggi::test
