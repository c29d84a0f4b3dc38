// SPDX-License-Identifier: Apache-2.0
// Verbs on files, mounts, devices, descriptors and terminals.
#include "support/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

namespace guest {
namespace {

int cat(Arguments paths) {
  if (paths.empty()) return copy_out("cat", "/proc/self/fd/0");
  int status = 0;
  for (char* path : paths) status |= copy_out("cat", path);
  return status;
}

// Standard input as it is, without re-opening it (a pipe or socket may not be re-opened by another
// user).
int pass(Arguments) {
  char buffer[4096];
  ssize_t got = 0;
  while ((got = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
    if (write(STDOUT_FILENO, buffer, static_cast<size_t>(got)) != got) return 1;
  }
  return 0;
}

int list_directory(Arguments paths) {
  const char* path = paths.empty() ? "." : paths[0];
  DIR* directory = opendir(path);
  if (directory == nullptr) return failed("ls", path);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) printf("%s\n", name.c_str());
  return 0;
}

const char* type_name(mode_t mode) {
  if (S_ISDIR(mode)) return "dir";
  if (S_ISREG(mode)) return "file";
  if (S_ISCHR(mode)) return "char";
  if (S_ISBLK(mode)) return "block";
  if (S_ISFIFO(mode)) return "fifo";
  if (S_ISLNK(mode)) return "link";
  return "socket";
}

int print_stat(Arguments paths) {
  int status = 0;
  for (char* path : paths) {
    struct stat info = {};
    if (lstat(path, &info) != 0) {
      status |= failed("stat", path);
      continue;
    }
    printf("%s %s %04o %u %u %u:%u", path, type_name(info.st_mode), info.st_mode & 07777,
           info.st_uid, info.st_gid, major(info.st_rdev), minor(info.st_rdev));
    char target[4096] = {};
    if (S_ISLNK(info.st_mode) && readlink(path, target, sizeof target - 1) > 0)
      printf(" -> %s", target);
    printf("\n");
  }
  return status;
}

int mounts(Arguments) {
  return copy_out("mounts", "/proc/self/mountinfo");
}

int write_file(Arguments words) {
  const int fd = open(words[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return failed("write", words[0]);
  const size_t size = strlen(words[1]);
  const ssize_t written = write(fd, words[1], size);
  const int error = errno;
  close(fd);
  if (written != static_cast<ssize_t>(size)) return failed("write", words[0], error);
  printf("write %s: ok\n", words[0]);
  return 0;
}

int make_directory(Arguments words) {
  return report("mkdir", words[0], mkdir(words[0], 0755));
}

int change_mode(Arguments words) {
  return report("chmod", words[0],
                chmod(words[0], static_cast<mode_t>(strtoul(words[1], nullptr, 8))));
}

int make_node(Arguments words) {  // PATH c|b|p MAJOR MINOR
  const mode_t type = words[1][0] == 'c' ? S_IFCHR : words[1][0] == 'b' ? S_IFBLK : S_IFIFO;
  const dev_t device = words.size() < 4 ? 0
                                        : makedev(static_cast<unsigned>(number(words[2])),
                                                  static_cast<unsigned>(number(words[3])));
  return report("mknod", words[0], mknod(words[0], type | 0666, device));
}

int open_file(Arguments words) {  // PATH r|w|rw
  const int flags = strcmp(words[1], "r") == 0   ? O_RDONLY
                    : strcmp(words[1], "w") == 0 ? O_WRONLY
                                                 : O_RDWR;
  const int fd = open(words[0], flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  const int status = report("open", words[0], fd);
  if (fd >= 0) close(fd);
  return status;
}

int execute(Arguments words) {
  std::vector<char*> argv(words.begin(), words.end());
  argv.push_back(nullptr);
  fflush(stdout);
  execv(argv[0], argv.data());
  return failed("exec", argv[0]);
}

int mount_tmpfs(Arguments words) {
  return report("mount", words[0], mount("tmpfs", words[0], "tmpfs", 0, nullptr));
}

int unmount(Arguments words) {
  return report("umount", words[0], umount2(words[0], MNT_DETACH));
}

int terminal(Arguments) {
  for (int fd = 0; fd < 3; fd++) printf("isatty %d %s\n", fd, isatty(fd) == 1 ? "yes" : "no");
  return 0;
}

int terminal_size(Arguments) {
  winsize size = {};
  if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0) return failed("ttysize", "0");
  printf("ttysize %d %d\n", size.ws_row, size.ws_col);
  return 0;
}

int descriptors(Arguments) {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return failed("fds", "/proc/self/fd");
  std::vector<int> open_fds;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') open_fds.push_back(static_cast<int>(number(entry->d_name)));
  }
  std::sort(open_fds.begin(), open_fds.end());
  for (const int fd : open_fds) {
    if (fd == dirfd(directory)) continue;
    char target[4096] = {};
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    if (readlink(path.c_str(), target, sizeof target - 1) < 0) strcpy(target, "?");
    printf("fd %d %s\n", fd, target);
  }
  closedir(directory);
  return 0;
}

int read_descriptor(Arguments words) {
  char buffer[4096];
  const ssize_t got = read(static_cast<int>(number(words[0])), buffer, sizeof buffer);
  if (got < 0) return failed("read-fd", words[0]);
  printf("read-fd %s %.*s\n", words[0], static_cast<int>(got), buffer);
  return 0;
}

// As sd_notify(3) does it.
int notify(Arguments words) {
  const char* path = getenv("NOTIFY_SOCKET");
  if (path == nullptr) return failed("notify", "NOTIFY_SOCKET", ENOENT);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const ssize_t sent = sendto(fd, words[0], strlen(words[0]), 0,
                              reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  close(fd);
  if (sent < 0) return failed("notify", path, error);
  printf("notify %s\n", path);
  return 0;
}

// The filesystems of descriptors 0 to 2 and of /dev/null, into a file.
int streams(Arguments words) {
  FILE* out = fopen(words[0], "we");
  if (out == nullptr) return failed("streams", words[0]);
  struct stat info = {};
  for (int fd = 0; fd < 3; fd++)
    fprintf(out, "%s %lx\n", fstat(fd, &info) == 0 && S_ISCHR(info.st_mode) ? "char" : "other",
            fstat(fd, &info) == 0 ? info.st_dev : 0);
  fprintf(out, "%s %lx\n", "char", stat("/dev/null", &info) == 0 ? info.st_dev : 0);
  fclose(out);
  return 0;
}

constexpr Verb kVerbs[] = {
    {"cat", cat, 0},
    {"chmod", change_mode, 2},
    {"exec", execute, 1},
    {"fds", descriptors, 0},
    {"isatty", terminal, 0},
    {"ls", list_directory, 0},
    {"mkdir", make_directory, 1},
    {"mknod", make_node, 2},
    {"mount-tmpfs", mount_tmpfs, 1},
    {"mounts", mounts, 0},
    {"notify", notify, 1},
    {"open", open_file, 2},
    {"pass", pass, 0},
    {"read-fd", read_descriptor, 1},
    {"stat", print_stat, 1},
    {"streams", streams, 1},
    {"ttysize", terminal_size, 0},
    {"umount", unmount, 1},
    {"write", write_file, 2},
};

}  // namespace

std::span<const Verb> file_verbs() {
  return kVerbs;
}

}  // namespace guest
