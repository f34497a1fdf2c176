internal import Linux
internal import VolumeFormat

// Extended attributes: names and values are sealed, but for the two lists that the kernel below has
// to understand.
extension GocryptfsStorage {
    func storedAttributeName(of name: [UInt8]) throws(Errno) -> FileName {
        if GocryptfsNames.isStoredAsIs(attribute: name) {
            guard let name = FileName(name) else { throw .invalidArgument }
            return name
        }
        do throws(VolumeFormatError) {
            guard let stored = FileName(try names.encryptAttributeName(name)), stored.count <= 255
            else { throw .name(.tooLong(found: name.count)) }
            return stored
        } catch {
            throw .outOfRange
        }
    }

    func listedAttributeName(of stored: UnsafeRawBufferPointer) -> [UInt8]? {
        let name = Array(stored)
        if GocryptfsNames.isStoredAsIs(attribute: name) { return name }
        do throws(VolumeFormatError) {
            return try names.decryptAttributeName(name)
        } catch {
            warnings.warn("An attribute is not listed", name, ["cause": error.description])
            return nil
        }
    }

    func sealAttribute(
        _ name: [UInt8],
        _ value: UnsafeRawBufferPointer,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer {
        if GocryptfsNames.isStoredAsIs(attribute: name) { return value }
        let sealed = try seal(value, scratch: scratch)
        scratch.sealed.copyBytes(from: sealed)
        return UnsafeRawBufferPointer(rebasing: scratch.sealed[..<sealed.count])
    }

    func openAttribute(
        _ name: [UInt8],
        _ sealed: UnsafeRawBufferPointer,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer {
        if GocryptfsNames.isStoredAsIs(attribute: name) { return sealed }
        let value = try open(sealed, of: try storedAttributeName(of: name), scratch: scratch)
        scratch.plain.copyBytes(from: value)
        return UnsafeRawBufferPointer(rebasing: scratch.plain[..<value.count])
    }
}
