print("secure-init")
