#include "io/atomic_file.hpp"
#include "files.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

using namespace dalib::io;
using namespace file_tests;

namespace {

/// Makes writes beyond `bytes` fail as on a full disk, for as long as it lives.
class file_size_limit {
public:
  explicit file_size_limit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  file_size_limit(const file_size_limit&) = delete;
  file_size_limit& operator=(const file_size_limit&) = delete;
  ~file_size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

private:
  rlimit before_{};
  void (*handler_)(int);
};

} // namespace

TEST_CASE("the file appears complete and replaces the old one") {
  temporary_folder folder;
  write_text_file(folder / "report", "old");
  {
    atomic_file file(folder / "report");
    file.write("new ");
    file.write("contents");
    CHECK(read_bytes(folder / "report") == "old");
    file.commit();
  }
  CHECK(read_bytes(folder / "report") == "new contents");
  CHECK_FALSE(fs::exists(folder / "report.partial"));
}

TEST_CASE("without commit nothing changes") {
  temporary_folder folder;
  write_text_file(folder / "report", "old");
  { atomic_file(folder / "report").write("half"); }
  CHECK(read_bytes(folder / "report") == "old");
  CHECK_FALSE(fs::exists(folder / "report.partial"));
}

TEST_CASE("what a killed process left is overwritten") {
  temporary_folder folder;
  write_bytes(folder / "report.partial", "a long remainder of an earlier run");
  write_text_file(folder / "report", "short");
  CHECK(read_bytes(folder / "report") == "short");
}

TEST_CASE("a relative name without folder") {
  temporary_folder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_text_file("here", "text");
  fs::current_path(before);
  CHECK(read_bytes(folder / "here") == "text");
}

TEST_CASE("symbolic links stay, the file behind them is replaced, also one that is not there yet") {
  temporary_folder folder;
  fs::create_directory(folder / "sub");
  write_text_file(folder / "sub/report", "old");
  fs::create_symlink("sub/report", folder / "link");
  fs::create_symlink(folder / "link", folder / "link to the link");
  fs::create_symlink("sub/new", folder / "dangling");
  for (const char* name : {"link", "link to the link", "dangling"}) {
    CAPTURE(name);
    write_text_file(folder / name, name);
    CHECK(fs::is_symlink(folder / name));
    CHECK(read_bytes(folder / name) == name);
  }
  CHECK(read_bytes(folder / "sub/report") == "link to the link");
  CHECK(read_bytes(folder / "sub/new") == "dangling");
  { atomic_file(folder / "link").write("half"); }
  CHECK(read_bytes(folder / "sub/report") == "link to the link");
  CHECK_FALSE(fs::exists(folder / "sub/report.partial"));
  fs::create_symlink("circle", folder / "circle");
  CHECK(contains(error_of([&] { write_text_file(folder / "circle", "text"); }), "circle: cannot follow the symbolic link"));
}

TEST_CASE("devices, pipes and open files are written, never replaced") {
  temporary_folder folder;
  const auto written = [&](const fs::path& path) {
    const fs::file_type before = fs::status(path).type();
    write_text_file(path, "text");
    CHECK(fs::status(path).type() == before);
    CHECK_FALSE(fs::exists(path.string() + ".partial"));
  };
  // A device of our own: as root a wrong writer would replace the system's.
  if (::mknod((folder / "null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0) {
    fs::create_symlink("null", folder / "link");
    written(folder / "null");
    written(folder / "link");
  }
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const int reader = ::open((folder / "pipe").c_str(), O_RDONLY | O_NONBLOCK);
  written(folder / "pipe");
  char got[5] = {};
  CHECK(::read(reader, got, 4) == 4);
  CHECK(std::string(got) == "text");
  ::close(reader);
  // An open file that a shell redirected: what was and what will be written to it stays, in order.
  const int open = ::open((folder / "log").c_str(), O_WRONLY | O_CREAT, 0600);
  REQUIRE(::write(open, "before ", 7) == 7);
  written("/dev/fd/" + std::to_string(open));
  written("/proc/self/fd/" + std::to_string(open));
  REQUIRE(::write(open, " after", 6) == 6);
  ::close(open);
  CHECK(read_bytes(folder / "log") == "before texttext after");
  CHECK(contains(error_of([] { write_text_file("/dev/fd/9999", "text"); }), "/dev/fd/9999: cannot open"));
}

TEST_CASE("two writers at once") {
  temporary_folder folder;
  atomic_file first(folder / "report");
  CHECK(contains(error_of([&] { atomic_file second(folder / "report"); }), "report.partial: is being written by another process"));
  first.write("first");
  first.commit();
  CHECK(read_bytes(folder / "report") == "first");
}

TEST_CASE("a full disk leaves the old file and no partial one") {
  temporary_folder folder;
  write_text_file(folder / "report", "old");
  const std::string text(100'000, 'x');
  {
    const file_size_limit limit(50'000);
    CHECK(contains(error_of([&] { write_text_file(folder / "report", text); }), "report.partial: cannot write: File too large"));
  }
  CHECK(read_bytes(folder / "report") == "old");
  CHECK_FALSE(fs::exists(folder / "report.partial"));
}

TEST_CASE("folders that do not take files") {
  temporary_folder folder;
  write_bytes(folder / "file", "");
  fs::create_directory(folder / "taken");
  write_bytes(folder / "taken/inside", "");
  CHECK(contains(error_of([&] { write_text_file(folder / "absent/report", ""); }), "absent/report.partial: cannot create: No such file"));
  CHECK(contains(error_of([&] { write_text_file(folder / "file/report", ""); }), "cannot create: Not a directory"));
  CHECK(contains(error_of([&] { write_text_file(folder / "taken", ""); }), "taken: cannot rename"));
  CHECK_FALSE(fs::exists(folder / "taken.partial"));
}
