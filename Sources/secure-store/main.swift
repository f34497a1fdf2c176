print("secure-store")
