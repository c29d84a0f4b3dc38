// SPDX-License-Identifier: Apache-2.0
// `onggi plan`: one line a step, in the order of execution, each with the place in config.json that
// it comes from.
#include "plan/plan.h"

#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/stat.h>

namespace onggi::plan {
namespace {

struct FlagName {
  uint64_t flag;
  const char* name;
};
constexpr FlagName kNamespaces[] = {
    {CLONE_NEWUSER, "user"},     {CLONE_NEWNS, "mount"},  {CLONE_NEWPID, "pid"},
    {CLONE_NEWNET, "network"},   {CLONE_NEWIPC, "ipc"},   {CLONE_NEWUTS, "uts"},
    {CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWTIME, "time"},
};
constexpr FlagName kAttributes[] = {
    {MOUNT_ATTR_RDONLY, "ro"},
    {MOUNT_ATTR_NOSUID, "nosuid"},
    {MOUNT_ATTR_NODEV, "nodev"},
    {MOUNT_ATTR_NOEXEC, "noexec"},
    {MOUNT_ATTR_NOATIME, "noatime"},
    {MOUNT_ATTR_STRICTATIME, "strictatime"},
    {MOUNT_ATTR_NODIRATIME, "nodiratime"},
    {MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow"},
};
constexpr FlagName kPropagation[] = {{MS_SHARED, "shared"},
                                     {MS_SLAVE, "slave"},
                                     {MS_PRIVATE, "private"},
                                     {MS_UNBINDABLE, "unbindable"}};

template <size_t N>
std::string names(const FlagName (&table)[N], uint64_t flags) {
  std::string text;
  for (const FlagName& row : table) {
    if ((flags & row.flag) == 0) continue;
    if (!text.empty()) text += ',';
    text += row.name;
  }
  return text;
}

std::string octal(uint32_t mode) {
  return std::string(FixedText<16>().append_padded(mode & 07777, 4, 8).view());
}

std::string hex(uint64_t mask) {
  return std::string(FixedText<24>().append_padded(mask, 16, 16).view());
}

std::string describe(const Propagation& propagation) {
  return (propagation.recursive != 0 ? "r" : "") + names(kPropagation, propagation.type);
}

std::string describe(const MountAttributes& attributes) {
  std::string text;
  const auto add = [&text](const char* what, uint64_t flags) {
    if (flags != 0) text += std::string(" ") + what + "=" + names(kAttributes, flags);
  };
  add("set", attributes.set);
  add("clear", attributes.clear);
  add("rset", attributes.recursive_set);
  add("rclear", attributes.recursive_clear);
  if (attributes.implied_clear != 0) text += " (other flags cleared)";
  return text;
}

// "uids:0-100000-65536;gids:0-100000-65536", each CONTAINER-HOST-SIZE.
std::string describe(const IdMap& map) {
  if (map.uids.empty()) return "container";
  std::string text;
  const auto add = [&text](const char* kind, const std::vector<spec::IdMapping>& mappings) {
    text += kind;
    for (const spec::IdMapping& mapping : mappings) {
      text += (text.back() == ':' ? "" : ",") + std::to_string(mapping.container_id) + "-" +
              std::to_string(mapping.host_id) + "-" + std::to_string(mapping.size);
    }
  };
  add("uids:", map.uids);
  add(";gids:", map.gids);
  return text;
}

// One overload a record: what `create` will do, in words.
class Describer {
 public:
  explicit Describer(const Plan& plan) : pool_(plan.pool.view()), id_maps_(plan.id_maps) {}

  std::string operator()(const JoinNamespace& step) const {
    return "join namespace " + names(kNamespaces, static_cast<uint64_t>(step.type));
  }
  std::string operator()(const UnshareNamespaces& step) const {
    return "unshare " + names(kNamespaces, static_cast<uint64_t>(step.flags));
  }
  std::string operator()(const SetHostname& step) const { return "hostname " + at(step.name); }
  std::string operator()(const SetDomainname& step) const { return "domainname " + at(step.name); }
  std::string operator()(const BringUpLoopback&) const { return "bring up lo"; }
  std::string operator()(const AwaitNetDevices&) const {
    return "wait until the interfaces have been moved in";
  }
  std::string operator()(const WriteProc& step) const {
    return "write /proc/" + at(step.path) + " " + at(step.value);
  }
  std::string operator()(const SetRootPropagation& step) const {
    return "make the host's tree " + describe(step.propagation);
  }
  std::string operator()(const OpenRootfs& step) const {
    return std::string(step.clone ? "clone" : "open") + " rootfs " + at(step.path);
  }
  std::string operator()(const BindMount& step) const {
    std::string text = std::string(step.recursive ? "rbind " : "bind ") + at(step.source) + " on " +
                       at(step.destination);
    if (step.id_map >= 0) {
      text += std::string(step.recursive_id_map ? " ridmap=" : " idmap=") +
              describe(id_maps_[static_cast<size_t>(step.id_map)]);
    }
    return text + describe(step.attributes) + propagations(step.propagation);
  }
  std::string operator()(const FilesystemMount& step) const {
    std::string text = "mount " + at(step.type) + " on " + at(step.destination);
    if (step.attributes != 0) text += " " + names(kAttributes, step.attributes);
    text += settings(step.options);
    if (step.root_label) text += " (label " + at(step.root_label) + ")";
    if (step.copy_up) text += " (with the contents of the directory below)";
    if (step.inherit_mode) text += " (mode of the directory below)";
    if (step.fallback_source) text += " (or bind " + at(step.fallback_source) + ")";
    return text + propagations(step.propagation);
  }
  std::string operator()(const Remount& step) const {
    return "remount " + at(step.destination) + settings(step.options) + describe(step.attributes) +
           propagations(step.propagation);
  }
  std::string operator()(const MakeDevice& step) const {
    const char type = S_ISBLK(step.mode) ? 'b' : S_ISFIFO(step.mode) ? 'p' : 'c';
    return std::string(step.bind ? "bind" : "make") + " device " + at(step.path) + " " + type +
           " " + std::to_string(step.major) + ":" + std::to_string(step.minor) + " mode " +
           octal(step.mode) + " owner " + std::to_string(step.uid) + ":" + std::to_string(step.gid);
  }
  std::string operator()(const MakeLink& step) const {
    return "link " + at(step.path) + " -> " + at(step.target) +
           (step.if_exists ? " if it exists" : "");
  }
  std::string operator()(const OpenConsole& step) const {
    return "open a terminal, " + std::to_string(step.rows) + " rows, " +
           std::to_string(step.columns) + " columns" +
           (step.bind_dev_console ? ", on /dev/console" : "");
  }
  std::string operator()(const OpenNotifySocket& step) const {
    return "open a socket for sd_notify, " + at(step.directory) + "/" + at(step.name);
  }
  std::string operator()(const AwaitCgroup&) const { return "wait for the systemd unit"; }
  std::string operator()(const AwaitRuntimeHooks&) const {
    return "wait for the prestart and createRuntime hooks";
  }
  std::string operator()(const ContainerHooks& step) const {
    std::string text = "run in " + at(step.directory);
    for (const Hook& hook : pool_(step.list)) text += " " + at(hook.path);
    return text;
  }
  std::string operator()(const MakeCwd& step) const {
    return "make directory " + at(step.path) + " if it is missing";
  }
  std::string operator()(const EnterRootfs& step) const {
    constexpr const char* kWays[] = {"pivot_root", "move the mount to / and chroot", "chroot"};
    return kWays[static_cast<size_t>(step.way)];
  }
  std::string operator()(const RootPropagation& step) const {
    return "make / " + describe(step.propagation);
  }
  std::string operator()(const RemountReadonly& step) const {
    return "make " + at(step.path) + " read-only";
  }
  std::string operator()(const ReadonlyPath& step) const {
    return "read-only path " + at(step.path);
  }
  std::string operator()(const MaskPath& step) const {
    return "mask " + at(step.path) + (step.label ? " (label " + at(step.label) + ")" : "");
  }
  std::string operator()(const ReadonlyRootfs&) const { return "make / read-only"; }

 private:
  std::string at(Text text) const { return pool_(text); }
  std::string settings(List<FilesystemOption> list) const {
    std::string text;
    for (const FilesystemOption& option : pool_(list)) {
      text += " " + at(option.key) + (option.value ? "=" + at(option.value) : "");
    }
    return text;
  }
  std::string propagations(List<Propagation> list) const {
    std::string text;
    for (const Propagation& propagation : pool_(list)) text += " " + describe(propagation);
    return text;
  }
  PoolView pool_;
  const std::vector<IdMap>& id_maps_;
};

void add_line(std::string& text, std::string_view place, std::string_view what) {
  constexpr size_t kColumn = 26;
  text += place;
  text.append(place.size() < kColumn ? kColumn - place.size() : 1, ' ');
  text.append(what) += '\n';
}

void print_cgroup(const CgroupPlan& cgroup, std::string& text) {
  if (cgroup.unit) {
    add_line(text, "linux.cgroupsPath",
             (cgroup.unit->user ? "systemd unit of the user's manager " : "systemd unit ") +
                 cgroup.unit->name);
    for (const UnitProperty& property : cgroup.unit->properties) {
      std::string line = "property " + property.name;
      for (const std::string& value : property.values) line += " " + value;
      add_line(text, property.place, line);
    }
  }
  for (const CgroupDirectory& directory : cgroup.directories) {
    add_line(text, "linux.cgroupsPath", "cgroup " + directory.mount_point + directory.path);
  }
  for (const CgroupSetting& setting : cgroup.settings) {
    add_line(text, setting.place, "write " + setting.file + " " + setting.value);
  }
}

void print_host(const Plan& plan, std::string& text) {
  for (const NetDevice& device : plan.net_devices) {
    add_line(text, device.place,
             "move in" + (device.name == device.host_name ? "" : " as " + device.name));
  }
  if (!plan.resctrl) return;
  const ResctrlPlan& resctrl = *plan.resctrl;
  const std::string name = resctrl.group.empty() ? "the default class" : "class " + resctrl.group;
  const std::string_view missing = resctrl.create ? " (made if it is missing)" : "";
  const std::string_view end = resctrl.create && resctrl.remove ? ", removed in the end" : "";
  add_line(text, "linux.intelRdt", name + std::string(missing) + std::string(end));
  for (const Schema& schema : resctrl.schemata) add_line(text, schema.place, schema.text);
  if (!resctrl.monitor.empty()) {
    add_line(text, "linux.intelRdt.enableMonitoring", "MON group " + resctrl.monitor);
  }
}

void print_handoff(const Plan& plan, std::string& text) {
  const Handoff& handoff = plan.handoff;
  const PoolView pool = plan.pool.view();
  for (const Limit& limit : pool(handoff.limits)) {
    add_line(text, "process.rlimits[" + std::to_string(limit.place_index) + "]",
             "resource " + std::to_string(limit.resource) + " soft " + std::to_string(limit.soft) +
                 " hard " + std::to_string(limit.hard));
  }
  std::string user =
      "uid " + std::to_string(handoff.uid) + " gid " + std::to_string(handoff.gid) + " groups";
  for (uint32_t gid : pool(handoff.additional_gids)) user += " " + std::to_string(gid);
  add_line(text, "process.user", user + " umask " + octal(handoff.umask));
  add_line(text, "process.capabilities",
           "bounding " + hex(handoff.capabilities.bounding) + " effective " +
               hex(handoff.capabilities.effective) + " permitted " +
               hex(handoff.capabilities.permitted) + " inheritable " +
               hex(handoff.capabilities.inheritable) + " ambient " +
               hex(handoff.capabilities.ambient));
  if (plan.oom_score_adj)
    add_line(text, "process.oomScoreAdj", std::to_string(*plan.oom_score_adj));
  if (handoff.apparmor) add_line(text, "process.apparmorProfile", pool(handoff.apparmor));
  if (handoff.selinux) add_line(text, "process.selinuxLabel", pool(handoff.selinux));
  if (handoff.no_new_privileges) add_line(text, "process.noNewPrivileges", "set");
  if (handoff.scheduler.policy >= 0) {
    add_line(text, "process.scheduler",
             "policy " + std::to_string(handoff.scheduler.policy) + " nice " +
                 std::to_string(handoff.scheduler.nice) + " priority " +
                 std::to_string(handoff.scheduler.priority));
  }
  if (handoff.io_priority >= 0) {
    add_line(text, "process.ioPriority", std::to_string(handoff.io_priority));
  }
  if (handoff.memory_policy.mode >= 0) {
    add_line(text, "linux.memoryPolicy", "mode " + std::to_string(handoff.memory_policy.mode));
  }
  if (handoff.personality >= 0) {
    add_line(text, "linux.personality", std::to_string(handoff.personality));
  }
  if (handoff.seccomp) {
    add_line(text, "linux.seccomp", "load last");
    if ((handoff.seccomp_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0)
      add_line(text, "linux.seccomp.listenerPath", "send the listener to the agent");
  }
  if (!handoff.has_program) return;
  add_line(text, "process.cwd", pool(handoff.cwd));
  std::string arguments;
  for (const plan::Text& argument : pool(handoff.args))
    arguments += std::string(arguments.empty() ? "" : " ") + pool(argument);
  add_line(text, "process.args", arguments);
}

}  // namespace

std::string print(const Plan& plan) {
  std::string text;
  add_line(text, "linux.namespaces", "new: " + names(kNamespaces, plan.namespaces.create));
  for (const JoinedNamespace& joined : plan.namespaces.joined)
    add_line(text, joined.place, "join " + joined.path);
  print_cgroup(plan.cgroup, text);
  print_host(plan, text);
  const Describer describer(plan);
  for (const std::vector<Step>* steps : {&plan.before_pivot, &plan.after_pivot}) {
    for (const Step& step : *steps)
      add_line(text, render(step.origin), std::visit(describer, step.action));
  }
  print_handoff(plan, text);
  for (const Error& error : plan.refused) {
    text.append("refused: ").append(error.place.view()).append(error.place.empty() ? "" : ": ");
    text.append(error.message.view()) += '\n';
  }
  return text;
}

std::string print_step(const Plan& plan, size_t index) {
  const size_t before = plan.before_pivot.size();
  if (index >= before + plan.after_pivot.size()) return "";
  const Step& step = index < before ? plan.before_pivot[index] : plan.after_pivot[index - before];
  std::string place = render(step.origin);
  return place.append(": ").append(std::visit(Describer(plan), step.action));
}

std::string print_facts(const HostFacts& facts) {
  constexpr std::string_view kLayouts[] = {"none", "v1", "v1 beside v2", "v2"};
  std::string text = "host: user " + std::to_string(facts.euid) + ":" + std::to_string(facts.egid);
  if (facts.in_user_namespace) text += " in a user namespace";
  text += ", capabilities " + hex(facts.capabilities) + ", cgroups ";
  text += kLayouts[static_cast<size_t>(facts.cgroup_layout)];
  for (const CgroupHierarchy& hierarchy : facts.cgroups)
    text += " " + hierarchy.mount_point + "=" + hierarchy.own_path;
  if (facts.apparmor) text += ", AppArmor";
  if (facts.selinux) text += ", SELinux";
  if (facts.systemd == SystemdAccess::ready) text += ", systemd";
  return text;
}

}  // namespace onggi::plan
