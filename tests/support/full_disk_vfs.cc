#include "tests/support/full_disk_vfs.h"

#include <atomic>
#include <cassert>

namespace stompbox::support {
namespace {

std::atomic<bool> disk_is_full = false;
sqlite3_vfs* real_vfs = nullptr;

// What SQLite allocates for a file of ours: this, then the real file.
struct ShimFile {
  sqlite3_file base;
  sqlite3_file* real;
};

sqlite3_file* real_of(sqlite3_file* file) {
  return reinterpret_cast<ShimFile*>(file)->real;
}

int shim_close(sqlite3_file* f) {
  return real_of(f)->pMethods->xClose(real_of(f));
}
int shim_read(sqlite3_file* f, void* to, int count, sqlite3_int64 at) {
  return real_of(f)->pMethods->xRead(real_of(f), to, count, at);
}
int shim_write(sqlite3_file* f, const void* from, int count, sqlite3_int64 at) {
  if (disk_is_full) return SQLITE_FULL;
  return real_of(f)->pMethods->xWrite(real_of(f), from, count, at);
}
int shim_truncate(sqlite3_file* f, sqlite3_int64 size) {
  return real_of(f)->pMethods->xTruncate(real_of(f), size);
}
int shim_sync(sqlite3_file* f, int flags) {
  return real_of(f)->pMethods->xSync(real_of(f), flags);
}
int shim_size(sqlite3_file* f, sqlite3_int64* size) {
  return real_of(f)->pMethods->xFileSize(real_of(f), size);
}
int shim_lock(sqlite3_file* f, int lock) {
  return real_of(f)->pMethods->xLock(real_of(f), lock);
}
int shim_unlock(sqlite3_file* f, int lock) {
  return real_of(f)->pMethods->xUnlock(real_of(f), lock);
}
int shim_check_lock(sqlite3_file* f, int* result) {
  return real_of(f)->pMethods->xCheckReservedLock(real_of(f), result);
}
int shim_control(sqlite3_file* f, int operation, void* argument) {
  return real_of(f)->pMethods->xFileControl(real_of(f), operation, argument);
}
int shim_sector(sqlite3_file* f) {
  return real_of(f)->pMethods->xSectorSize(real_of(f));
}
int shim_device(sqlite3_file* f) {
  return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
int shim_shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** at) {
  return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, at);
}
int shim_shm_lock(sqlite3_file* f, int offset, int count, int flags) {
  return real_of(f)->pMethods->xShmLock(real_of(f), offset, count, flags);
}
void shim_shm_barrier(sqlite3_file* f) {
  real_of(f)->pMethods->xShmBarrier(real_of(f));
}
int shim_shm_unmap(sqlite3_file* f, int remove) {
  return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

// Version 2: no memory mapping, which would write around us.
constexpr sqlite3_io_methods kMethods = {
    2,           shim_close,   shim_read,     shim_write,       shim_truncate,  shim_sync,
    shim_size,   shim_lock,    shim_unlock,   shim_check_lock,  shim_control,   shim_sector,
    shim_device, shim_shm_map, shim_shm_lock, shim_shm_barrier, shim_shm_unmap, nullptr,
    nullptr};

int shim_open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
  auto* const shim = reinterpret_cast<ShimFile*>(file);
  shim->base.pMethods = nullptr;
  shim->real = reinterpret_cast<sqlite3_file*>(shim + 1);
  const int result = real_vfs->xOpen(real_vfs, name, shim->real, flags, out);
  if (shim->real->pMethods != nullptr) shim->base.pMethods = &kMethods;
  return result;
}

}  // namespace

FullDiskVfs::FullDiskVfs() : real_(sqlite3_vfs_find(nullptr)), shim_(*real_) {
  assert(real_vfs == nullptr);
  real_vfs = real_;
  shim_.pNext = nullptr;
  shim_.zName = "full_disk";
  shim_.szOsFile = static_cast<int>(sizeof(ShimFile)) + real_->szOsFile;
  shim_.xOpen = shim_open;
  sqlite3_vfs_register(&shim_, 1);
}

FullDiskVfs::~FullDiskVfs() {
  make_room();
  sqlite3_vfs_unregister(&shim_);
  sqlite3_vfs_register(real_, 1);
  real_vfs = nullptr;
}

void FullDiskVfs::fill() {
  disk_is_full = true;
}
void FullDiskVfs::make_room() {
  disk_is_full = false;
}

}  // namespace stompbox::support
