// SPDX-License-Identifier: Apache-2.0
// org.freedesktop.systemd1(5).
#include "systemd/bus.h"

#include <time.h>

#include <cstdlib>
#include <cstring>

namespace onggi::systemd {
namespace {

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kUnitExists = "org.freedesktop.systemd1.UnitExists";
constexpr const char* kNoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";
constexpr uint64_t kPatience = 30'000'000;  // microseconds

uint64_t now() {
  timespec time = {};
  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 +
         static_cast<uint64_t>(time.tv_nsec) / 1000;
}

// ── ownership of what libsystemd hands out ──

class BusError {
 public:
  BusError() = default;
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;
  ~BusError() { sd_bus_error_free(&error_); }

  sd_bus_error* out() {
    sd_bus_error_free(&error_);
    return &error_;
  }
  bool is(const char* name) const { return sd_bus_error_has_name(&error_, name) != 0; }
  // "StartTransientUnit 'web.scope': " and what systemd says of it.
  Error describe(int result, const char* method, const std::string& unit) const {
    Error error = system_error(error_.message == nullptr ? result : 0, method, unit);
    if (error_.message != nullptr) error.message.append(": ", error_.message);
    return error;
  }

 private:
  sd_bus_error error_ = SD_BUS_ERROR_NULL;
};

class BusMessage {
 public:
  BusMessage() = default;
  BusMessage(const BusMessage&) = delete;
  BusMessage& operator=(const BusMessage&) = delete;
  ~BusMessage() { sd_bus_message_unref(message_); }

  sd_bus_message* get() const { return message_; }
  sd_bus_message** out() { return &message_; }

 private:
  sd_bus_message* message_ = nullptr;
};

// ── connecting ──

// By the manager's own socket there is no bus between, and no names on it.
int open_private(const std::string& path, sd_bus** bus) {
  sd_bus* made = nullptr;
  int result = sd_bus_new(&made);
  if (result < 0) return result;
  result = sd_bus_set_address(made, ("unix:path=" + path).c_str());
  if (result >= 0) result = sd_bus_start(made);
  if (result < 0) {
    sd_bus_close_unref(made);
    return result;
  }
  *bus = made;
  return 0;
}

int open_once(bool user, sd_bus** bus) {
  const int result = user ? sd_bus_open_user(bus) : sd_bus_open_system(bus);
  if (result >= 0 || result == -EAGAIN) return result;
  const char* directory = getenv("XDG_RUNTIME_DIR");
  if (user && directory == nullptr) return result;
  const std::string path =
      user ? std::string(directory) + "/systemd/private" : "/run/systemd/private";
  // The first reason is the one to tell.
  const int direct = open_private(path, bus);
  return direct >= 0 || direct == -EAGAIN ? direct : result;
}

// ── waiting for a job ──

struct Job {
  std::string path;
  std::string result;  // empty until it has been removed
};

// All that have ended since: signals come before the reply that says which one is ours.
struct Removals {
  std::vector<Job> seen;
};

int on_job_removed(sd_bus_message* message, void* userdata, sd_bus_error*) {
  const char *path = nullptr, *result = nullptr;
  if (sd_bus_message_read(message, "uoss", nullptr, &path, nullptr, &result) < 0) return 0;
  static_cast<Removals*>(userdata)->seen.push_back({path, result});
  return 0;
}

// Listens from its making on, so that no end of a job is missed.
class JobWatch {
 public:
  JobWatch() = default;
  JobWatch(const JobWatch&) = delete;
  JobWatch& operator=(const JobWatch&) = delete;
  ~JobWatch() { sd_bus_slot_unref(slot_); }

  Result<> listen(sd_bus* bus) {
    // A direct connection has no sender to match.
    const char* sender = sd_bus_is_bus_client(bus) > 0 ? kService : nullptr;
    const int result = sd_bus_match_signal(bus, &slot_, sender, kManagerPath, kManager,
                                           "JobRemoved", on_job_removed, &removals_);
    if (result < 0) return system_error(result, "sd_bus_match_signal", "JobRemoved");
    return {};
  }

  Result<> wait(sd_bus* bus, const char* job, const std::string& unit, uint64_t deadline) {
    for (;;) {
      for (const Job& removed : removals_.seen) {
        if (removed.path == job) return judge(removed, unit);
      }
      removals_.seen.clear();
      int result = sd_bus_process(bus, nullptr);
      if (result > 0) continue;
      const uint64_t time = now();
      if (time >= deadline) {
        return make_error(ErrorKind::system, "systemd did not finish its job for '", unit,
                          "' within ", kPatience / 1'000'000, " seconds");
      }
      if (result == 0) result = sd_bus_wait(bus, deadline - time);
      if (result < 0 && result != -EINTR) return system_error(result, "sd_bus_wait", unit);
    }
  }

 private:
  static Result<> judge(const Job& job, const std::string& unit) {
    if (job.result == "done") return {};
    return with_hint(make_error(ErrorKind::system, "systemd's job for '", unit, "' ended with '",
                                job.result, "'"),
                     "check the journal of the unit");
  }

  Removals removals_;
  sd_bus_slot* slot_ = nullptr;
};

// ── properties ──

template <class T>
int append_number(sd_bus_message* message, char type, const std::string& value) {
  const std::optional<T> number = parse_decimal<T>(value);
  return number ? sd_bus_message_append_basic(message, type, &*number) : -EINVAL;
}

int append_basic(sd_bus_message* message, char type, const std::string& value) {
  const int boolean = value == "1" ? 1 : 0;
  switch (type) {
    case 'b':
      return sd_bus_message_append_basic(message, type, &boolean);
    case 'y':
      return append_number<uint8_t>(message, type, value);
    case 'n':
      return append_number<int16_t>(message, type, value);
    case 'q':
      return append_number<uint16_t>(message, type, value);
    case 'i':
      return append_number<int32_t>(message, type, value);
    case 'u':
      return append_number<uint32_t>(message, type, value);
    case 'x':
      return append_number<int64_t>(message, type, value);
    case 't':
      return append_number<uint64_t>(message, type, value);
    default:
      return sd_bus_message_append_basic(message, 's', value.c_str());
  }
}

int append_values(sd_bus_message* message, const plan::UnitProperty& property) {
  const std::string& signature = property.signature;
  if (signature.size() == 1) return append_basic(message, signature[0], property.values[0]);
  int result = sd_bus_message_open_container(message, 'a', signature.c_str() + 1);
  const bool pairs = signature[1] == '(';
  for (size_t i = 0; i < property.values.size() && result >= 0; i += pairs ? 2 : 1) {
    result = pairs ? sd_bus_message_append(message, "(ss)", property.values[i].c_str(),
                                           property.values[i + 1].c_str())
                   : append_basic(message, signature[1], property.values[i]);
  }
  return result < 0 ? result : sd_bus_message_close_container(message);
}

int append_property(sd_bus_message* message, const plan::UnitProperty& property) {
  int result = sd_bus_message_open_container(message, 'r', "sv");
  if (result >= 0) result = sd_bus_message_append_basic(message, 's', property.name.c_str());
  if (result >= 0) result = sd_bus_message_open_container(message, 'v', property.signature.c_str());
  if (result >= 0) result = append_values(message, property);
  if (result >= 0) result = sd_bus_message_close_container(message);
  return result < 0 ? result : sd_bus_message_close_container(message);
}

int append_properties(sd_bus_message* message, std::span<const plan::UnitProperty> properties) {
  int result = sd_bus_message_open_container(message, 'a', "(sv)");
  for (const plan::UnitProperty& property : properties) {
    if (result >= 0) result = append_property(message, property);
  }
  return result < 0 ? result : sd_bus_message_close_container(message);
}

int new_call(sd_bus* bus, BusMessage& message, const char* method) {
  return sd_bus_message_new_method_call(bus, message.out(), kService, kManagerPath, kManager,
                                        method);
}

int start_transient(sd_bus* bus, const std::string& unit,
                    std::span<const plan::UnitProperty> properties, BusError& error,
                    BusMessage& reply) {
  BusMessage message;
  int result = new_call(bus, message, "StartTransientUnit");
  if (result >= 0) result = sd_bus_message_append(message.get(), "ss", unit.c_str(), "replace");
  if (result >= 0) result = append_properties(message.get(), properties);
  if (result >= 0) result = sd_bus_message_append(message.get(), "a(sa(sv))", 0);
  return result < 0 ? result : sd_bus_call(bus, message.get(), 0, error.out(), reply.out());
}

int call_for_unit(sd_bus* bus, const char* method, const std::string& unit, BusError& error) {
  return sd_bus_call_method(bus, kService, kManagerPath, kManager, method, error.out(), nullptr,
                            "s", unit.c_str());
}

Result<const char*> job_of(const BusMessage& reply) {
  const char* job = nullptr;
  const int result = sd_bus_message_read(reply.get(), "o", &job);
  if (result < 0) return system_error(result, "sd_bus_message_read", "job");
  return job;
}

}  // namespace

Result<Manager> Manager::connect(bool user) {
  constexpr timespec kDelay{.tv_sec = 0, .tv_nsec = 10'000'000};
  const uint64_t deadline = now() + kPatience;
  for (;;) {
    sd_bus* bus = nullptr;
    const int result = open_once(user, &bus);
    if (result >= 0) {
      (void)sd_bus_set_method_call_timeout(bus, kPatience);
      return Manager(bus, deadline);
    }
    // The queue of a bus that is busy is short (connect(2), EAGAIN).
    if (result != -EAGAIN || now() >= deadline) {
      return with_hint(system_error(result, user ? "sd_bus_open_user" : "sd_bus_open_system"),
                       "cannot reach systemd: start D-Bus, or use --cgroup-manager cgroupfs");
    }
    (void)nanosleep(&kDelay, nullptr);
  }
}

Result<> Manager::start_unit(const std::string& unit,
                             std::span<const plan::UnitProperty> properties) {
  JobWatch watch;
  TRY(watch.listen(bus_));
  BusError error;
  BusMessage reply;
  int result = start_transient(bus_, unit, properties, error, reply);
  if (result < 0 && error.is(kUnitExists)) {
    // What has failed stays until somebody has taken note of it, and its name with it.
    BusError ignored;
    (void)call_for_unit(bus_, "ResetFailedUnit", unit, ignored);
    result = start_transient(bus_, unit, properties, error, reply);
  }
  if (result < 0) {
    Error failed = error.describe(result, "StartTransientUnit", unit);
    if (error.is(kUnitExists)) {
      failed = state_error("systemd unit '", unit, "' already exists");
      failed.errnum = EEXIST;
    }
    return failed;
  }
  const char* job = TRY(job_of(reply));
  return watch.wait(bus_, job, unit, deadline_);
}

Result<> Manager::stop_unit(const std::string& unit) {
  JobWatch watch;
  TRY(watch.listen(bus_));
  BusError error;
  BusMessage reply;
  const int result = sd_bus_call_method(bus_, kService, kManagerPath, kManager, "StopUnit",
                                        error.out(), reply.out(), "ss", unit.c_str(), "replace");
  if (result < 0 && error.is(kNoSuchUnit)) return {};
  if (result < 0) return error.describe(result, "StopUnit", unit);
  const char* job = TRY(job_of(reply));
  TRY(watch.wait(bus_, job, unit, deadline_));
  const int reset = call_for_unit(bus_, "ResetFailedUnit", unit, error);
  if (reset < 0 && !error.is(kNoSuchUnit)) return error.describe(reset, "ResetFailedUnit", unit);
  return {};
}

Result<> Manager::set_properties(const std::string& unit,
                                 std::span<const plan::UnitProperty> properties) {
  BusError error;
  BusMessage message;
  int result = new_call(bus_, message, "SetUnitProperties");
  if (result >= 0) result = sd_bus_message_append(message.get(), "sb", unit.c_str(), 1);
  if (result >= 0) result = append_properties(message.get(), properties);
  if (result >= 0) result = sd_bus_call(bus_, message.get(), 0, error.out(), nullptr);
  if (result < 0) return error.describe(result, "SetUnitProperties", unit);
  // systemd answers first and writes to the kernel then, but before it takes the next call.
  result = sd_bus_call_method(bus_, kService, kManagerPath, "org.freedesktop.DBus.Peer", "Ping",
                              error.out(), nullptr, nullptr);
  if (result < 0) return error.describe(result, "Ping", unit);
  return {};
}

Result<std::string> Manager::cgroup_of(const std::string& unit) {
  char* path = nullptr;
  int result = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path);
  if (result < 0) return system_error(result, "sd_bus_path_encode", unit);
  const char* interface = unit.ends_with(".slice") ? "org.freedesktop.systemd1.Slice"
                                                   : "org.freedesktop.systemd1.Scope";
  BusError error;
  char* cgroup = nullptr;
  result = sd_bus_get_property_string(bus_, kService, path, interface, "ControlGroup", error.out(),
                                      &cgroup);
  free(path);
  if (result < 0) return error.describe(result, "ControlGroup", unit);
  std::string name(cgroup);
  free(cgroup);
  return name;
}

}  // namespace onggi::systemd
